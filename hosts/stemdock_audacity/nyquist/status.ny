$nyquist plug-in
$version 4
$type tool
$debugbutton false
$name "Stem Status"
$author "Stemdock"
$copyright "MIT licence"
$control chosenaction (_ "Action") choice (("Show" (_ "Show all separations")) ("BringIn" (_ "Bring in finished stems")) ("Cancel" (_ "Cancel all separations"))) 0

(defun stemdock-write (name text)
  (let ((file (open (strcat "@folder@inbox/" name) :direction :output)))
    (cond (file (format file "~a~%" text) (close file)))))

(defun stemdock-read (path)
  (let ((file (open path)) (text "") line)
    (cond (file
      (do ((line (read-line file) (read-line file))) ((null line))
        (setf text (strcat text line "\n")))
      (close file)))
    text))

;; Imports a project unless that is done already; says whether it did.
(defun stemdock-import (project)
  (let* ((mark (strcat project ".imported"))
         (marked (open mark))
         (present (open project)))
    (if marked (close marked))
    (if present (close present))
    (cond ((or marked (not present)) nil)
          ((cdr (aud-do (strcat "Import2: Filename=\"" project "\"")))
           (close (open mark :direction :output))
           t))))

(defun stemdock-bring-in ()
  (let ((file (open "@folder@ready.txt")) (count 0))
    (cond (file
      (do ((project (read-line file) (read-line file))) ((null project))
        (if (stemdock-import project) (setf count (1+ count))))
      (close file)))
    ;; Returning nil would undo the import together with this plug-in's own step.
    (cond ((= count 0) (_ "No finished stems are waiting."))
          (t (_ "The stems are in new tracks below the others.")))))

(cond ((= chosenaction 2)
       (stemdock-write "cancel.txt" "all")
       nil)
      ((= chosenaction 1) (stemdock-bring-in))
      (t (let ((text (stemdock-read "@folder@status.txt")))
           (if (string= text "") (_ "Nothing is being separated.") text))))
