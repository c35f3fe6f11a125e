$nyquist plug-in
$version 4
$type tool
$debugbutton false
$name (_ "Stem Status")
$author (_ "Stemdock")
$copyright (_ "MIT licence")
$control chosenaction (_ "Action") choice (("Show" "Show all separations") ("Cancel" "Cancel all separations")) 0

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

(cond ((= chosenaction 1)
       (stemdock-write "cancel.txt" "all")
       nil)
      (t (let ((text (stemdock-read "@folder@status.txt")))
           (if (string= text "") "Nothing is being separated." text))))
